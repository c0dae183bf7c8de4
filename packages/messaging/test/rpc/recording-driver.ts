import type {
  CallSendOptions,
  Destination,
  Driver,
  DriverCapabilities,
  DriverFactory,
  OutgoingRequest,
  Reply,
  SendOptions,
} from '../../src/index.ts'

/** What a client gave its driver. */
export interface RecordedSend {
  readonly kind: 'call' | 'cast'
  readonly destination: Destination
  readonly request: OutgoingRequest
  readonly options: SendOptions | CallSendOptions
}

/** A driver that sends nothing: it records what it is given and answers every call with what `answer` says. */
export interface RecordingDriver extends DriverFactory {
  readonly sends: RecordedSend[]
}

const ALL: DriverCapabilities = {
  rpc: true,
  fanout: true,
  mandatory: true,
  callMonitoring: true,
  redelivery: true,
  notifications: true,
  pools: true,
  requeue: true,
  headers: true,
}

export function recordingDriver(
  answer: (send: RecordedSend) => Reply | Promise<Reply> = () => ({ result: null }),
  capabilities: Partial<DriverCapabilities> = {},
): RecordingDriver {
  const sends: RecordedSend[] = []
  const record = async (send: RecordedSend): Promise<Reply> => {
    sends.push(send)
    return answer(send)
  }
  const unused = (): Promise<never> => Promise.reject(new TypeError('not part of this driver'))
  const driver: Driver = {
    name: 'recording',
    capabilities: { ...ALL, ...capabilities },
    connect: () => Promise.resolve(),
    call: (destination, request, options) => record({ kind: 'call', destination, request, options }),
    cast: async (destination, request, options) => {
      await record({ kind: 'cast', destination, request, options })
    },
    serve: unused,
    notify: unused,
    listen: unused,
    stats: () => ({
      sent: sends.length,
      received: 0,
      duplicates: 0,
      refused: 0,
      unexpectedReplies: 0,
      lostReplies: 0,
      disconnects: 0,
    }),
    close: () => Promise.resolve(),
  }
  return { sends, schemes: ['recording'], create: () => driver }
}
