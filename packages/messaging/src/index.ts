/**
 * What oslo.messaging is made of whatever carries it: transports and targets, remote calls and notifications, the
 * contract of drivers, envelopes, transport URLs and conf files.
 *
 * @packageDocumentation
 */
export { parseConf, readConfFile } from './conf-file.ts'
export { redactContext, type RedactableContext } from './context/redact-context.ts'
export { generateRequestId, RequestContext, type RequestContextParts } from './context/request-context.ts'
export { requestContextSerializer } from './context/request-context-serializer.ts'
export {
  MESSAGING_DIAGNOSTICS,
  type DispatchDiagnostics,
  type SendDiagnostics,
  type TransportDiagnostics,
  type WorkChannels,
} from './diagnostics.ts'
export { requireCapabilities, type DriverCapabilities } from './driver/driver-capabilities.ts'
export type {
  CallSendOptions,
  ConnectOptions,
  Destination,
  Driver,
  DriverEvent,
  DriverFactory,
  DriverOptions,
  DriverStats,
  IncomingNotification,
  IncomingRequest,
  ListenOptions,
  NotificationDestination,
  NotificationSource,
  NotifyOptions,
  OutgoingNotification,
  OutgoingRequest,
  Reply,
  SendOptions,
  ServedTarget,
  ServeOptions,
  StartOptions,
  DriverSubscription,
} from './driver/driver.ts'
export { fake, type FakeOptions } from './driver/fake/fake.ts'
export {
  MAX_BODY_BYTES,
  readEnvelope,
  wrapEnvelope,
  type Envelope,
  type ReadEnvelopeOptions,
} from './envelope.ts'
export {
  controlExchangeFromConf,
  notificationTopicsFromConf,
  transportUrlFromConf,
} from './messaging-conf.ts'
export { PRIORITIES, readNotification, type Notification, type Priority } from './notification.ts'
export {
  ERROR_PUBLISHER,
  errorNotification,
  logRecordNotification,
  type LogRecord,
  type LogRecordNotification,
} from './notify/log-record.ts'
export { LogNotificationDriver } from './notify/log-notification-driver.ts'
export type {
  NotificationDriver,
  NotificationDriverFactory,
  NotificationDriverOptions,
  NotificationEmission,
  NotificationMessage,
} from './notify/notification-driver.ts'
export type { HandlerRetryOptions } from './notify/handler-attempts.ts'
export type {
  BatchNotificationEndpoint,
  NotificationEndpoint,
  NotificationHandler,
  NotificationHandlers,
} from './notify/notification-endpoint.ts'
export {
  NotificationFilter,
  type FilterPattern,
  type NotificationFilterParts,
} from './notify/notification-filter.ts'
export type {
  BatchNotificationListenerOptions,
  ListeningOptions,
  NotificationListenerEvents,
  NotificationListenerOptions,
  NotificationListenerStats,
} from './notify/notification-listener-options.ts'
export {
  createBatchNotificationListener,
  createNotificationListener,
  NotificationListener,
} from './notify/notification-listener.ts'
export { NotificationResult } from './notify/notification-result.ts'
export type { PoisonedNotification } from './notify/notification-settler.ts'
export type { ListenedTopics } from './notify/notification-sources.ts'
export {
  listenForNotifications,
  NotificationStream,
  type NotificationStreamOptions,
  type NotificationStreamState,
  type NotificationStreamStats,
} from './notify/notification-stream.ts'
export type { ReceivedNotification } from './notify/received-notification.ts'
export { StreamedNotification, type StreamedNotificationState } from './notify/streamed-notification.ts'
export { NotificationRoutes } from './notify/notification-routes.ts'
export { notifierConfFrom, type NotifierConf } from './notify/notifier-conf.ts'
export type {
  NotifierContext,
  NotifierEvents,
  NotifierOptions,
  NotifierStats,
  NotifyCallOptions,
} from './notify/notifier-options.ts'
export { createNotifier, Notifier } from './notify/notifier.ts'
export { TestNotificationDriver } from './notify/test-notification-driver.ts'
export { OsloConf, type ConfEntry, type ConfSections } from './oslo-conf.ts'
export { DEFAULT_TRANSPORT_URL, parseTransportUrl } from './parse-transport-url.ts'
export { plainSerializer, type PayloadSerializer } from './payload-serializer.ts'
export { nextProcessNumber, type ProcessNumberOptions } from './process-number.ts'
export type {
  CallParameters,
  ClientArguments,
  ClientResult,
  ClientSchemas,
  UntypedEndpoint,
} from './rpc/client-types.ts'
export { readFailure } from './rpc/read-failure.ts'
export { RemoteErrorRegistry, type RemoteErrorConstructor } from './rpc/remote-error-registry.ts'
export { createRpcClient, RpcClient, type RpcClientStats } from './rpc/rpc-client.ts'
export type {
  RpcClientOptions,
  RpcPreparation,
  RpcRequestOptions,
  RpcSendSettings,
} from './rpc/rpc-client-options.ts'
export type { RunOutcome, RunState, StopOptions } from './subscription-run.ts'
export { Target, type TargetParts } from './target.ts'
export { readTextFile } from './text-file.ts'
export {
  createTransport,
  DEFAULT_CONTROL_EXCHANGE,
  DEFAULT_RESPONSE_TIMEOUT_MS,
  Transport,
  type TransportEvents,
  type TransportOptions,
} from './transport.ts'
export {
  TransportHost,
  TransportUrl,
  type TransportHostParts,
  type TransportUrlParts,
} from './transport-url.ts'
export {
  defineEndpoint,
  EndpointDefinition,
  type EndpointOptions,
  type EndpointSchemas,
  type ExpectedError,
} from './rpc/define-endpoint.ts'
export type {
  NoArguments,
  RpcArguments,
  RpcMethod,
  RpcMethods,
  RpcResult,
  Travelled,
} from './rpc/endpoint-types.ts'
export type { RpcCall } from './rpc/rpc-call.ts'
export type {
  MethodSchemas,
  SchemaInput,
  SchemaOutput,
  StandardSchema,
  StandardSchemaIssue,
  StandardSchemaResult,
} from './rpc/standard-schema.ts'
export type { AccessPolicy } from './rpc/access-policy.ts'
export { failureOfError } from './rpc/failure-of-error.ts'
export { PING_METHOD } from './rpc/ping-endpoint.ts'
export { RemoteException, type RemoteExceptionParts } from './rpc/remote-exception.ts'
export { createRpcServer, RpcServer } from './rpc/rpc-server.ts'
export { DEFAULT_CONCURRENCY, type RpcServerOptions, type RpcServerStats } from './rpc/rpc-server-options.ts'
