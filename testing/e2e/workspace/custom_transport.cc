#include <memory>

#include "external_containerizer/transport/mock/oracle.h"
#include "external_containerizer/transport/selected.h"

namespace external_containerizer {

absl::string_view SelectedTransportName() { return "the consumer's own"; }

TransportFactory SelectedTransport(TransportOptions) {
  return OracleTransport(std::make_shared<OracleWorld>());
}

}  // namespace external_containerizer
