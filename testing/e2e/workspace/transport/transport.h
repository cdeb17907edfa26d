#ifndef CONSUMER_TRANSPORT_TRANSPORT_H_
#define CONSUMER_TRANSPORT_TRANSPORT_H_

inline const char* ConsumersTransport() { return "the consumer's"; }

#endif  // CONSUMER_TRANSPORT_TRANSPORT_H_
