/** What the snippets of a guide take for granted. */
export const PRELUDES: Readonly<Record<string, string>> = {
  'docs/amqp.md': `import { Connection, Consumer, Exchange, Queue } from 'hermod'
declare const order: object
declare function work(body: Uint8Array): void
declare function fetchToken(): Promise<string>
`,
  'docs/from-amqplib.md': `import { Connection, isHermodError, Queue, type Message } from 'hermod'
declare function report(what: unknown): void
declare function work(body: Uint8Array): void
declare const body: Uint8Array
declare const id: string
declare const waiting: Map<string, (reply: Message) => void>
`,
  'docs/from-kombu.md': `import { Connection, ConnectionPool, Consumer, DEFAULT_SERIALIZERS, Exchange, Producer, ProducerPool, Queue } from 'hermod'
import { Runner, SimpleQueue, type Serializer } from 'hermod'
declare function work(body: unknown): Promise<void>
declare function result(body: unknown): unknown
declare function log(...what: readonly unknown[]): void
`,
  'docs/from-oslo-messaging.md': `import { createNotificationListener, createNotifier, createRpcClient, createRpcServer } from 'hermod'
import { createTransport, defineEndpoint, isHermodError, listenForNotifications, NotificationResult } from 'hermod'
import { readConfFile, RemoteError, RemoteErrorRegistry, RemoteException, RequestContext } from 'hermod'
import { requestContextSerializer, Target, transportUrlFromConf } from 'hermod'
import type { JsonObject, ReceivedNotification, RpcCall } from 'hermod'
declare const context: JsonObject
declare function work(eventType: string, payload: unknown): Promise<void>
declare function log(...what: readonly unknown[]): void
`,
  'docs/call-nova.md': `import { createRpcClient, createTransport, isHermodError, NoSuchMethodError, readConfFile } from 'hermod'
import { readTextFile, RemoteError, RemoteErrorRegistry, RequestContext, requestContextSerializer } from 'hermod'
import { rpcExchangeOf, UnsupportedVersionError } from 'hermod'
import { z } from 'zod'
`,
  'docs/write-a-service.md': `import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { createNotifier, createRpcClient, createRpcServer, createTransport, defineEndpoint } from 'hermod'
import { readConfFile, RemoteException, TestNotificationDriver, transportUrlFromConf } from 'hermod'
import type { Notifier, RpcCall } from 'hermod'
import { z } from 'zod'
`,
  'docs/entities.md': `import { Connection, ConnectionPool, Consumer, DEFAULT_SERIALIZERS, Exchange, Producer } from 'hermod'
import { ProducerPool, Queue, Runner, SimpleQueue, type Channel, type Serializer } from 'hermod'
declare const connection: Connection
declare const channel: Channel
declare function work(...what: readonly unknown[]): Promise<void>
declare function report(...what: readonly unknown[]): void
`,
  'docs/errors.md': `import { isHermodError, type Channel } from 'hermod'
declare const channel: Channel
declare const body: Uint8Array
declare function tryAgainLater(): void
`,
}
