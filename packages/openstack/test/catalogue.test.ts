import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findEvents, knownExchanges, knownTopics, loadCatalogue, servicesOf } from '../src/index.ts'
import { serviceOfType } from '../src/service-of.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

describe('known names', () => {
  it('are those of the catalogue, of ceilometer’s list and of the services themselves', () => {
    const exchanges = knownExchanges()
    for (const exchange of [
      'aodh',
      'ceilometer',
      'cinder',
      'designate',
      'dns',
      'glance',
      'heat',
      'ironic',
      'keystone',
      'magnum',
      'manila',
      'masakari',
      'neutron',
      'nova',
      'octavia',
      'openstack',
      'sahara',
      'swift',
      'trove',
      'watcher',
      'zaqar',
    ]) {
      expect(exchanges).toContain(exchange)
    }
    for (const exchange of exchanges) expect(exchange).toMatch(/^[a-z]+$/)
    expect(exchanges).toStrictEqual([...new Set(exchanges)].toSorted())
    expect(knownTopics()).toStrictEqual([
      'notifications',
      'versioned_notifications',
      'ironic_versioned_notifications',
    ])
  })

  it('say who publishes where', () => {
    expect(servicesOf('nova')).toStrictEqual(['nova'])
    expect(servicesOf('dns')).toStrictEqual(['designate'])
    expect(servicesOf('openstack')).toContain('cinder')
    expect(servicesOf('constructor')).toStrictEqual([])
  })

  it('are what the generator writes today', () => {
    const printed = execFileSync(process.execPath, ['scripts/generate-openstack-names.mjs', '--print'], {
      cwd: root,
    })
    const file = readFileSync(new URL('../src/generated/known-names.ts', import.meta.url))
    expect(printed.toString()).toBe(file.toString())
  })
})

describe('the catalogue', () => {
  it('holds all event types', () => {
    const { services } = loadCatalogue()
    expect(services).toHaveLength(21)
    expect(services.flatMap(({ events }) => events)).toHaveLength(905)
    expect(loadCatalogue()).toBe(loadCatalogue())
  })

  it('finds a type in every format that has it, and by its placeholder', () => {
    expect(findEvents('volume.usage').map(({ service }) => service.format)).toStrictEqual([
      'versioned',
      'unversioned',
    ])
    expect(findEvents('hardware.ipmi.metrics').map(({ event }) => event.type)).toStrictEqual([
      'hardware.<driver>.metrics',
    ])
    expect(findEvents('hardware.a.b.metrics')).toStrictEqual([])
    expect(findEvents('trunk.create.end').map(({ service }) => service.service)).toStrictEqual(['neutron'])
    expect(findEvents('attach_volume')).toStrictEqual([])
    expect(findEvents('constructor')).toStrictEqual([])
  })

  it('agrees with the services that types are known by', () => {
    const disagreeing = loadCatalogue().services.flatMap(({ service, events }) =>
      events
        .map(({ type }) => [type, serviceOfType(type) ?? service.split(' ')[0], service.split(' ')[0]])
        .filter(([, known, own]) => known !== own),
    )
    expect(disagreeing).toStrictEqual([])
  })
})
