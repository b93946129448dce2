"""python3 emulator.py KIND [--key KEY] [--port PORT]: emulates a vector store's HTTP surface in memory, strict about what the real one
refuses. Prints its address, serves until its standard input ends. Written from the stores' published API references."""
import argparse
import os
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from base import serve  # noqa: E402


def make(kind, key=""):
    if kind == "qdrant":
        from qdrant import Qdrant
        return Qdrant(key)
    if kind == "weaviate":
        from weaviate import Weaviate
        return Weaviate(key)
    if kind == "milvus":
        from milvus import Milvus
        return Milvus(key)
    if kind == "pinecone":
        from pinecone import Pinecone
        return Pinecone(key)
    raise SystemExit("no such store: " + kind)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--key", default="")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    server = serve(make(arguments.kind, arguments.key), arguments.port)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
