import { describe, expect, it } from 'vitest'
import { targetOf, targetText } from '../src/target-argument.ts'

describe('targetOf', () => {
  it.each([
    ['compute', undefined, 'compute', undefined, 'compute'],
    ['compute@node1', undefined, 'compute', 'node1', 'compute@node1'],
    ['cinder-volume.rig@rig', undefined, 'cinder-volume.rig', 'rig', 'cinder-volume.rig@rig'],
    ['cinder-volume.rig@rig@', undefined, 'cinder-volume.rig@rig', undefined, 'cinder-volume.rig@rig@'],
    ['cinder-volume.rig@rig@rig', undefined, 'cinder-volume.rig@rig', 'rig', 'cinder-volume.rig@rig@rig'],
    ['cinder-volume.rig@rig', 'rig', 'cinder-volume.rig@rig', 'rig', 'cinder-volume.rig@rig@rig'],
    ['compute@', undefined, 'compute', undefined, 'compute'],
  ])('reads %s with --server %s', (text, flag, topic, server, again) => {
    const issues: string[] = []
    const target = targetOf(text, flag, issues)
    expect(target).toEqual({ topic, server })
    expect(targetText(target)).toBe(again)
    expect(issues).toEqual([])
  })

  it.each([
    ['', undefined, "the target '' has no topic; write TOPIC or TOPIC@SERVER"],
    ['@node1', undefined, "the target '@node1' has no topic; write TOPIC or TOPIC@SERVER"],
    ['compute', '', '--server is empty; leave it out for any server of the topic'],
    ['amqp://u:hunter2@h/', undefined, 'the target looks like a URL; give the broker with --url'],
    ['x'.repeat(255), undefined, 'the target is longer than 255 bytes, more than a routing key can hold'],
  ])('refuses %s with --server %s', (text, flag, issue) => {
    const issues: string[] = []
    targetOf(text, flag, issues)
    expect(issues).toEqual([issue])
  })
})
