import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions as NodeTlsOptions,
  type PeerCertificate,
} from 'node:tls'
import { ConnectionError } from '@hermod/kernel'
import { formatServer, type BrokerAddress } from './broker-address.ts'
import type { TlsOptions } from './tls-options.ts'

/** Opens the byte stream to a broker; the signal ends the attempt. */
export type Dial = (address: BrokerAddress, options: { readonly signal: AbortSignal }) => Promise<Duplex>

/** Keep-alive probes begin after this much silence: the net under the heartbeats. */
const KEEP_ALIVE_MS = 30_000

/** As much as is read from a socket at once. */
export const READ_BYTES: number = 64 * 1024

const TLS_PHASE = /^(?:ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO|HOSTNAME)/

/**
 * Opens TCP or TLS to a broker, without Nagle's delay (which costs 40 ms on each request and reply).
 * @throws {ConnectionError} E_CONN with the phase in which it failed.
 */
export const dial: Dial = (address, { signal }) => open(address, signal, false)

/**
 * As {@link dial}, but what a `data` event hands over holds only until the event is over: each read of the socket goes
 * into the same buffer, where Node would allocate one and pass it through the queue of a readable stream. Consuming from
 * the null broker of `bench/` takes an eighth less CPU for it. A session reads at once and keeps nothing; whoever wraps
 * a stream may not.
 */
export const dialInPlace: Dial = (address, { signal }) => open(address, signal, true)

function open(address: BrokerAddress, signal: AbortSignal, inPlace: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { hostname, port, tls } = address
    // As long as nobody listens, what comes waits in the stream.
    const take = (bytes: Buffer): unknown => socket.emit('data', bytes) || socket.push(Buffer.from(bytes))
    const onread = inPlace ? readInPlace(take) : undefined
    const socket: Socket =
      tls === undefined
        ? connectTcp({ host: hostname, port, ...(onread && { onread }) })
        : connectTls(tlsOptions(address, tls, onread))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    const abort = (): void => {
      socket.destroy()
      reject(signal.reason as Error)
    }
    const fail = (error: NodeJS.ErrnoException): void => {
      signal.removeEventListener('abort', abort)
      reject(dialError(address, error))
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    socket.once('error', fail)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      signal.removeEventListener('abort', abort)
      socket.removeListener('error', fail)
      resolve(socket)
    })
  })
}

function readInPlace(take: (bytes: Buffer) => unknown): OnReadOpts {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  return {
    buffer,
    callback(count) {
      take(count === READ_BYTES ? buffer : buffer.subarray(0, count))
      return true
    },
  }
}

/** What `connect` of node:tls takes; Node documents `onread`, its types leave it out. */
interface TlsConnectOptions extends NodeTlsOptions {
  readonly onread?: OnReadOpts
}

function tlsOptions(
  { hostname, port }: BrokerAddress,
  tls: TlsOptions,
  onread: OnReadOpts | undefined,
): TlsConnectOptions {
  const { serverName, ca, ...rest } = tls
  const name = serverName ?? hostname
  return {
    ...rest,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
    host: hostname,
    port,
    // An address is no name to indicate; the certificate is then checked against the address itself.
    ...(isIP(name) === 0
      ? { servername: name }
      : {
          checkServerIdentity: (_: string, certificate: PeerCertificate) =>
            checkServerIdentity(name, certificate),
        }),
    minVersion: 'TLSv1.2',
    ...(onread && { onread }),
  }
}

function dialError(address: BrokerAddress, error: NodeJS.ErrnoException): ConnectionError {
  const code = error.code ?? ''
  const server = formatServer(address)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new ConnectionError('dns', `the host name '${address.hostname}' cannot be resolved (${code})`, {
      cause: error,
    })
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || error.message.includes('wrong version number')) {
    // OpenSSL's way of saying that the answer was not TLS at all.
    return new ConnectionError('tls', `${server} does not speak TLS on this port`, { cause: error })
  }
  if (address.tls !== undefined && (TLS_PHASE.test(code) || error.message.includes('TLS'))) {
    return new ConnectionError('tls', `TLS with ${server} failed: ${error.message}`, { cause: error })
  }
  const reason = code === 'ECONNREFUSED' ? 'connection refused' : code === '' ? error.message : code
  return new ConnectionError('tcp', `no connection to ${server}: ${reason}`, { cause: error })
}
