import { describe, expect, it } from 'vitest'
import { resourceOf } from '../src/resource.ts'

describe('resourceOf', () => {
  it('takes no inherited member for a resource', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(resourceOf(`${name}.create.end`, {})).toStrictEqual({ type: name, id: null, name: null })
      expect(resourceOf(name, {})).toStrictEqual({ type: null, id: null, name: null })
    }
  })

  it.each([
    [
      'floatingip.create.end',
      { floatingip: { id: 'f1', project_id: 'p' } },
      { type: 'floatingip', id: 'f1', name: null },
    ],
    ['network.delete.start', { network_id: 'n1' }, { type: 'network', id: 'n1', name: null }],
    ['flavor.create.end', { flavor: { id: 'f1', name: 'gold' } }, { type: 'flavor', id: 'f1', name: 'gold' }],
    [
      'snapshot.create.end',
      { snapshot_id: 's1', volume_id: 'v1', display_name: 'd' },
      { type: 'snapshot', id: 's1', name: 'd' },
    ],
    ['scheduler.create_volume', { volume_id: 'v1' }, { type: 'volume', id: 'v1', name: null }],
    [
      'orchestration.stack.create.end',
      { stack_identity: 'arn:openstack:heat::t1:stacks/web/s1', stack_name: 'web' },
      { type: 'stack', id: 's1', name: 'web' },
    ],
    ['image.member.create', { image_id: 'i1', member_id: 'm' }, { type: 'image', id: 'i1', name: null }],
    ['lease.create', { lease_id: 'l1', name: 'weekly' }, { type: 'lease', id: 'l1', name: 'weekly' }],
    ['made.up', { uuid: 'x' }, { type: 'made', id: 'x', name: null }],
    ['made.up', [1], { type: 'made', id: null, name: null }],
    ['made.up', { id: 12345678901234567890n }, { type: 'made', id: '12345678901234567890', name: null }],
  ])('%s', (type, payload, resource) => {
    expect(resourceOf(type, payload as never)).toStrictEqual(resource)
  })
})
