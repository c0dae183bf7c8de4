// A server or a listener to be killed: `oslo-child.mjs serve|listen URL TOPIC NAME`. Writes `ready`, then the id of each
// call or notification as its handler begins, a line each; a line is with the parent before the next statement.
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { rabbit } from '@hermod/driver-rabbit'
import { createNotificationListener, createRpcServer, createTransport } from '@hermod/messaging'

const [role, url, topic, name] = process.argv.slice(2)
const drivers = [rabbit({ options: { durableQueues: true, retryIntervalMs: 100 } })]
const transport = createTransport(url, { drivers })

const say = (text) => writeSync(1, `${text}\n`)

const work = async ({ id, isDeadly }) => {
  say(id)
  if (isDeadly) process.kill(process.pid, 'SIGKILL')
  await sleep(id % 4)
  return id
}

if (role === 'serve') {
  await createRpcServer(
    transport,
    { topic, server: name },
    { endpoints: [{ work }], concurrency: 16 },
  ).start()
} else {
  const info = async ({ payload }) => {
    say(payload)
    await sleep(payload % 2)
  }
  await createNotificationListener(transport, {
    topics: [topic],
    endpoints: [{ info }],
    concurrency: 4,
  }).start()
}
say('ready')
