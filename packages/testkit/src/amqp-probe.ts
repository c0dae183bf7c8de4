import { connect } from 'node:net'

/**
 * What a client says first: `AMQP`, 0, and the version 0-9-1.
 * @source AMQP 0-9-1 §4.2.2
 */
const PROTOCOL_HEADER = Buffer.of(0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1)
/** Frame type 1 (method) on channel 0: `connection.start`. */
const METHOD_ON_CHANNEL_0 = Buffer.from([1, 0, 0])

/** Whether an AMQP 0-9-1 broker answers at this address: false when it refuses, hangs up or stays silent. */
export function answersAmqp(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (answers: boolean): void => {
      socket.destroy()
      resolve(answers)
    }
    socket.setTimeout(timeoutMs, () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.on('connect', () => socket.write(PROTOCOL_HEADER))
    socket.on('data', (chunk: Buffer) =>
      end(chunk.subarray(0, METHOD_ON_CHANNEL_0.length).equals(METHOD_ON_CHANNEL_0)),
    )
  })
}

/** Whether something accepts TCP connections on this port of loopback. */
export function acceptsTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
