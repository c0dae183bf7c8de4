import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { blocks, documents, read, repository } from './markdown.ts'

/** What the snippets of a guide take for granted. */
const PRELUDES: Readonly<Record<string, string>> = {
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

const folder = mkdtempSync(join(tmpdir(), 'hermod-snippets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the TypeScript in the documents', () => {
  it('compiles, the blocks of each document as one program', () => {
    const files: string[] = []
    for (const path of documents()) {
      const code = blocks(read(path), 'ts')
      // Those of the README are programs of their own, which other tests run.
      if (code.length === 0 || path === 'README.md') continue
      const file = `${path.replaceAll('/', '-')}.ts`
      writeFileSync(join(folder, file), `${PRELUDES[path] ?? ''}${code.join('\n')}\nexport {}\n`)
      files.push(file)
    }
    expect(files.length).toBeGreaterThan(5)
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2023',
      strict: true,
      noEmit: true,
      types: ['node'],
      skipLibCheck: true,
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const compiler = join(repository, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })
})
