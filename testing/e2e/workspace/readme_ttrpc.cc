#include <memory>

#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/server.h"

namespace ttrpc = external_containerizer::ttrpc;
// Any messages do.
using GreetRequest = external_containerizer::wire::Wait;
using GreetReply = external_containerizer::wire::Termination;

void Greet(ttrpc::Server& server, std::unique_ptr<ttrpc::Client> client,
           const GreetRequest& request);

#include "readme_calls.inc"
