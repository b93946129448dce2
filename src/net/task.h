#pragma once
// Task<T>: a coroutine that runs on one Loop's thread. It starts when it is awaited (or spawned) and it
// never moves to another thread. Parameters that it keeps over a co_await must be values or must outlive it.

#include <boost/asio/awaitable.hpp>

namespace ajar {

template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace ajar
