#pragma once
// What the helper process gives up before it reads a stranger's file. Kept across exec, so the programs that it starts have given
// it up too.

namespace ajar::rag {

// No sockets, no other process's memory, no mounts, no way round to io_uring; no network at all where the kernel gives a namespace of
// one's own. false: the kernel does not do it.
bool give_up_network();

// From here on no file can be opened but what programs are made of (/usr, /lib, fonts; for reading), and none can be made or
// changed; what is open stays so. false: the kernel has no Landlock (before 5.13, or not switched on), and nothing has changed.
bool give_up_files();

}  // namespace ajar::rag
