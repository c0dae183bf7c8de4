import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@hermod/broker'
import { findPython, needs } from '@hermod/testkit'
import { expect, it } from 'vitest'
import { makeCertificates } from '../../interop/test-certificates.ts'
import { EXCLUSIONS } from './exclusions.ts'
import { count, FOREIGN, FOREIGN_PYTHON, leftOut, runForeign, surprises } from './foreign-suite.ts'

const gate = needs(findPython(['amqp', 'pytest'], FOREIGN_PYTHON))

it.skipIf(gate.skip)(`py-amqp 5.4.2's tests of a broker pass, plain and with TLS${gate.note}`, async () => {
  const exclusions = EXCLUSIONS['py-amqp']
  using certificates = makeCertificates()
  // The source distribution lacks the certificates, which the tests look for beside themselves.
  const folder = mkdtempSync(join(tmpdir(), 'hermod-py-amqp-'))
  cpSync(`${FOREIGN}/amqp/t`, join(folder, 't'), { recursive: true })
  mkdirSync(join(folder, 't/certs'))
  const { cert, key } = certificates.serverFor('localhost')
  const broken = certificates.clientKey.replaceAll(/[A-Z]/g, 'A')
  for (const [name, text] of Object.entries({
    ca_certificate: certificates.ca,
    client_certificate: certificates.clientCert,
    client_key: certificates.clientKey,
    client_certificate_broken: broken,
    client_key_broken: broken,
  }))
    writeFileSync(join(folder, 't/certs', `${name}.pem`), text)
  await using broker = createBroker()
  const plain = await broker.listen()
  const secure = await broker.listen({ tls: { cert, key, ca: certificates.ca } })
  try {
    const outcomes = await runForeign({
      python: FOREIGN_PYTHON,
      runner: 'run_pytest',
      args: [JSON.stringify(leftOut(exclusions)), 't/integration/test_rmq.py'],
      folder,
      environment: {
        RABBITMQ_HOST: 'localhost',
        RABBITMQ_5672_TCP: String(plain.port),
        RABBITMQ_5671_TCP: String(secure.port),
      },
      timeoutMs: 100_000,
    })
    expect(surprises(outcomes, exclusions)).toEqual([])
    expect(count(outcomes)).toBe('25 of 25 passed')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
