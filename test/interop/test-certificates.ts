import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An authority made for one test, a server's certificate for `localhost`, and a client's. */
export interface TestCertificates extends Disposable {
  readonly caFile: string
  readonly serverCertFile: string
  readonly serverKeyFile: string
  readonly ca: string
  readonly clientCert: string
  readonly clientKey: string
  /** A server's certificate for another host name. */
  serverFor(hostname: string): CertifiedKey
  /** A certificate of a client; RabbitMQ can take its common name for a user. */
  clientFor(commonName: string): CertifiedKey
}

/** A certificate and its private key, PEM. */
interface CertifiedKey {
  readonly cert: string
  readonly key: string
}

/** Makes them with openssl; they are valid for a day and vanish with the test. */
export function makeCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'hermod-certificates-'))
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-days',
    '1',
    '-subj',
    '/CN=Test authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  )
  const issue = (name: string, extensions: string): CertifiedKey => {
    writeFileSync(file(`${name}.ext`), extensions)
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    const signed = ['-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    openssl('x509', '-req', ...signed, '-days', '1', '-extfile', `${name}.ext`, '-out', `${name}.pem`)
    return { cert: readFileSync(file(`${name}.pem`), 'utf8'), key: readFileSync(file(`${name}.key`), 'utf8') }
  }
  const clientFor = (name: string): CertifiedKey => issue(name, 'extendedKeyUsage=clientAuth\n')
  issue('server', 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n')
  const client = clientFor('client')
  return {
    caFile: file('ca.pem'),
    serverCertFile: file('server.pem'),
    serverKeyFile: file('server.key'),
    ca: readFileSync(file('ca.pem'), 'utf8'),
    clientCert: client.cert,
    clientKey: client.key,
    serverFor: (hostname) => issue(hostname, `subjectAltName=DNS:${hostname}\nextendedKeyUsage=serverAuth\n`),
    clientFor,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
