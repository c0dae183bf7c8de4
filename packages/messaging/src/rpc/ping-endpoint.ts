import { EndpointDefinition } from './define-endpoint.ts'

/** The method of the ping endpoint. */
export const PING_METHOD = 'oslo_rpc_server_ping'

/** What the ping endpoint offers. */
export interface PingMethods {
  oslo_rpc_server_ping(): 'pong'
}

/**
 * Answers to `oslo_rpc_server_ping`, in the default namespace and version 1.0, whatever the arguments.
 * @source oslo.messaging rpc/dispatcher.py PingEndpoint
 */
export const pingEndpoint: EndpointDefinition<PingMethods> = new EndpointDefinition(
  { oslo_rpc_server_ping: () => 'pong' as const },
  // On a list, so that the access policy 'explicit' lets it through too.
  { expose: [PING_METHOD] },
)
