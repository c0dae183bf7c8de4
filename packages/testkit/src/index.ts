/**
 * Fixtures for tests of messaging code. Nothing under another package's `src` uses it.
 *
 * @packageDocumentation
 */
export { contentBytes, deliveryBytes, frameBytes, methodBytes } from './amqp-bytes.ts'
export {
  findBroker,
  findPython,
  findRabbitMq,
  needs,
  requireServices,
  type Availability,
  type SuiteGate,
} from './availability.ts'
export type { ByteConversation } from './byte-conversation.ts'
export type {
  AlarmKind,
  BindingFacts,
  BrokerCapabilities,
  BrokerFixture,
  BrokerLogin,
  BrokerTable,
  ConnectionFacts,
  ExchangeFacts,
  QueueFacts,
} from './broker-fixture.ts'
export type { BrokerLink, Received, ReceivedPublish } from './broker-link.ts'
export type { DriverContractSubject } from './driver-contract/contract-bench.ts'
export type { ContractCase } from './driver-contract/contract-case.ts'
export { driverContract } from './driver-contract/driver-contract.ts'
export { startEmbeddedBroker } from './embedded-broker.ts'
export { eventually, type EventuallyOptions } from './eventually.ts'
export { externalBroker } from './external-broker.ts'
export {
  startFaultProxy,
  type CorruptOptions,
  type CutAfterOptions,
  type DelayOptions,
  type Fault,
  type FaultDirection,
  type FaultProxy,
  type FaultProxyOptions,
  type FaultProxyStats,
  type RechunkOptions,
  type ThrottleOptions,
} from './fault-proxy.ts'
export { freePort } from './free-port.ts'
export type { LinkDirection, LinkStats } from './link-faults.ts'
export { ManualClock } from './manual-clock.ts'
export {
  startRabbitMqCluster,
  type RabbitMqCluster,
  type RabbitMqClusterOptions,
} from './rabbitmq-cluster.ts'
export type { RabbitMqOptions } from './rabbitmq-layout.ts'
export { startPython, type PeerLine, type PeerWait, type PythonPeer } from './python-peer.ts'
export {
  nextEvent,
  ScriptedBroker,
  SILENT,
  type MethodHandler,
  type ScriptedBrokerOptions,
  type ScriptedListener,
} from './scripted-broker.ts'
export { startScriptedPeer, type PeerScript, type ScriptedPeer } from './scripted-peer.ts'
export { seededRandom } from './seeded-random.ts'
export { settled } from './settled.ts'
export {
  startTestBroker,
  useTestBroker,
  type RunningTestBroker,
  type TestBroker,
  type TestBrokerOptions,
  type TestHooks,
} from './test-broker.ts'
export { startBroker, startRabbitMq } from './start-rabbitmq.ts'
