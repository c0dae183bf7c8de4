import type { TlsOptions } from '@hermod/amqp'
import { readTextFile } from '@hermod/messaging'
import type { TlsFlags } from './connection-flags.ts'

/** Settings for TLS when any is given; the files are read here, so that a wrong path is told before connecting. */
export async function readTls({
  caFile,
  certFile,
  keyFile,
  serverName,
}: TlsFlags): Promise<TlsOptions | undefined> {
  if ([caFile, certFile, keyFile, serverName].every((value) => value === undefined)) return undefined
  return {
    ca: caFile === undefined ? undefined : await readTextFile(caFile, 'the TLS authorities in'),
    cert: certFile === undefined ? undefined : await readTextFile(certFile, 'the TLS certificate in'),
    key: keyFile === undefined ? undefined : await readTextFile(keyFile, 'the TLS key in'),
    serverName,
  }
}
