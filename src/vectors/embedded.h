#pragma once
// Our own index behind the contract of other stores: what they are compared with.

#include "rag/vector_store.h"

namespace ajar::vectors {

std::unique_ptr<rag::VectorStore> make_embedded();

}  // namespace ajar::vectors
