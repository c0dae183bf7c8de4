import { describe, expect, it } from 'vitest'
import { phaseOf } from '../src/phase.ts'

describe('phaseOf', () => {
  it.each([
    ['compute.instance.create.start', 'start'],
    ['volume.create.end', 'end'],
    ['instance.create.error', 'error'],
    ['baremetal.node.provision_set.success', 'success'],
    ['aggregate.cache_images.progress', 'progress'],
    ['backup.createprogress', 'progress'],
    ['task.failure', 'error'],
    ['identity.user.created', null],
    ['start', 'start'],
    ['weekend', null],
    ['', null],
  ])('%s', (type, phase) => {
    expect(phaseOf(type)).toBe(phase)
  })
})
