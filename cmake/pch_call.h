// Precompiled for the folders from rag upwards: also what a call passes through, and documents.
#include "pch.h"

#include "api/api.h"
#include "api/call_sink.h"
#include "app/commands.h"
#include "app/http_call.h"
#include "app/local_models.h"
#include "app/terminal.h"
#include "provider/model_host.h"
#include "provider/remote.h"
#include "rag/ask.h"
