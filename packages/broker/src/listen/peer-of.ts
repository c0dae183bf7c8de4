import { BlockList, type Socket } from 'node:net'
import type { Peer } from '../session/link.ts'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Whether an address is this machine's own. */
export const isLoopback = (address: string): boolean =>
  LOOPBACK.check(address, address.includes(':') ? 'ipv6' : 'ipv4')

/** Who is at the other end of a socket. */
export function peerOf(socket: Socket, secure: boolean): Peer {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket
  return {
    name: `${hostAndPort(remoteAddress, remotePort)} -> ${hostAndPort(localAddress, localPort)}`,
    address: remoteAddress,
    loopback: remoteAddress !== '' && isLoopback(remoteAddress),
    secure,
  }
}

/** `host:port`, an IPv6 address in brackets. */
export const hostAndPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
