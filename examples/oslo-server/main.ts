import { createRpcServer, createTransport, Target } from 'hermod'

class Endpoint1 {
  readonly target = new Target({ namespace: 'namespace1', version: '1.0' })

  test({ arg }: { arg: string }): string {
    console.log('namespace1', arg)
    return arg
  }
}

class Endpoint2 {
  readonly target = new Target({ namespace: 'namespace2', version: '1.0' })

  test({ arg }: { arg: string }): string {
    console.log('namespace2', arg)
    return arg
  }
}

const transport = createTransport(process.env['HERMOD_URL'] ?? 'rabbit://127.0.0.1:5672/')
const server = createRpcServer(
  transport,
  { topic: 'test', server: 'server1' },
  { endpoints: [new Endpoint1(), new Endpoint2()], concurrency: 1 },
)
process.once('SIGINT', () => void server.stop())
await server.start()
console.log('serving')
await server.wait()
await transport.close()
