// `npm run demo:oslo`: what `hermod demo` makes up, for real: notifications of a real oslo.messaging. Starts a private RabbitMQ node on
// loopback, lets a real oslo.messaging replay what Keystone, Neutron and Nova once sent, and shows it with
// `hermod listen`. When that ends, everything is gone again. Arguments after `--` go to `hermod listen`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startPython, startRabbitMq } from '@hermod/testkit'

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const SAMPLES = path('packages/openstack/data/notifications.ndjson')
const EMITTER = path('test/interop/peers/oslo_notify.py')
const COMMAND = path('packages/hermod/bin/hermod.js')

/** What is replayed, in this order: a login, a network with a port, an instance that lives, one that fails, the end. */
const STORY = [
  'identity.authenticate',
  'keypair.import.start',
  'keypair.import.end',
  'network.create.start',
  'network.create.end',
  'port.create.start',
  'port.create.end',
  'compute.instance.create.start',
  'compute.instance.create.end',
  'compute.instance.reboot.start',
  'compute.instance.reboot.end',
  'compute_task.build_instances',
  'compute.instance.delete.start',
  'compute.instance.delete.end',
  'identity.project.deleted',
]
const PAUSE_MS = 300
const DEFAULT_ARGUMENTS = ['--for', '15s']

const say = (text) => console.error(`demo: ${text}`)

/** A sample as a command for the Python peer: what its service handed to oslo.messaging. */
function emission({ exchange, routing_key, body }) {
  const message = JSON.parse(JSON.parse(body)['oslo.message'])
  const context = Object.entries(message).filter(([key]) => key.startsWith('_context_'))
  return {
    exchange,
    priority: routing_key.split('.').at(-1),
    publisher_id: message.publisher_id,
    event_type: message.event_type,
    payload: message.payload,
    context: Object.fromEntries(context.map(([key, value]) => [key.slice('_context_'.length), value])),
  }
}

function readStory() {
  const lines = readFileSync(SAMPLES, 'utf8').trim().split('\n')
  const emissions = lines.map((line) => emission(JSON.parse(line)))
  return STORY.map((type) => emissions.find(({ event_type }) => event_type === type))
}

/** Emits the story again and again until `signal` aborts. */
async function emit(oslo, url, story, signal) {
  for (;;) {
    for (const notification of story) {
      await sleep(PAUSE_MS, undefined, { signal })
      await oslo.ask({ url, ...notification })
    }
  }
}

async function demo(listenArguments) {
  say('starting a private RabbitMQ node on loopback')
  const broker = await startRabbitMq()
  const oslo = startPython(EMITTER)
  try {
    const story = readStory()
    // A service declares its exchange with its first notification; only then can a tap be bound to it.
    for (const exchange of new Set(story.map((notification) => notification.exchange))) {
      const first = story.find((notification) => notification.exchange === exchange)
      await oslo.ask({ url: broker.url, ...first })
    }
    say(`HERMOD_URL=${broker.url} hermod listen ${listenArguments.join(' ')}`)
    const listen = spawn(process.execPath, [COMMAND, 'listen', ...listenArguments], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, HERMOD_URL: broker.url },
    })
    const over = new AbortController()
    // Ctrl-C reaches every process of the terminal: the command and the emitter end by it, and what is left is
    // cleaned up here.
    process.on('SIGINT', () => over.abort())
    process.on('SIGTERM', () => listen.kill('SIGTERM'))
    const emitting = emit(oslo, broker.url, story, over.signal).catch((error) => {
      if (over.signal.aborted) return undefined
      listen.kill('SIGTERM')
      return error
    })
    const [code] = await once(listen, 'exit')
    over.abort()
    const failure = await emitting
    if (failure !== undefined) throw failure
    return code
  } finally {
    await oslo[Symbol.asyncDispose]()
    await broker[Symbol.asyncDispose]()
    say('the broker is gone, and its data with it')
  }
}

const given = process.argv.slice(2)
process.exitCode = await demo(given.length > 0 ? given : DEFAULT_ARGUMENTS)
