// Precompiled for the folders from net upwards: also Asio's coroutines, and the types that a request is made of.
#include "pch_plain.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/provider.h"
#include "core/reply.h"
#include "http/client.h"
#include "http/server.h"
#include "wire/dialect.h"
#include "wire/fields.h"
#include "wire/outbound.h"
