import type { Account } from '../cloud.ts'
import type { Stage } from '../stage.ts'
import type { Story } from '../story.ts'
import { microseconds } from '../times.ts'

const AGENTS = [
  'openstacksdk/4.4.0 keystoneauth1/5.9.0',
  'python-keystoneclient',
  'gophercloud/v2.4.0',
] as const

/** Somebody logs in. */
export const loginStory: Story = {
  name: 'login',
  weight: () => 3,
  *tell(stage) {
    const { random, cloud } = stage
    const address = `192.0.2.${random.integer(10, 250)}`
    yield attempt(stage, random.pick(cloud.users), {
      outcome: 'success',
      address,
      agent: random.pick(AGENTS),
    })
  },
}

/** Somebody guesses a password: from one address, again and again. */
export const failedLoginStory: Story = {
  name: 'failed logins',
  weight: () => 2,
  *tell(stage) {
    const { random, cloud } = stage
    const user = random.pick(cloud.users)
    const address = `203.0.113.${random.integer(1, 254)}`
    const agent = random.pick(AGENTS)
    for (let left = random.integer(1, 4); left > 0; left--)
      yield attempt(stage, user, { outcome: 'failure', address, agent })
  },
}

interface Attempt {
  readonly outcome: 'success' | 'failure'
  readonly address: string
  readonly agent: string
}

function attempt(
  stage: Stage,
  user: Account,
  { outcome, address, agent }: Attempt,
): ReturnType<Stage['event']> {
  const { random, cloud } = stage
  const request = stage.request(user, random.pick(cloud.projects))
  return stage.event('identity.authenticate', cloud.controller, request, {
    id: random.uuid(),
    eventTime: `${microseconds(stage.now())}+0000`,
    outcome,
    observer: { id: random.hex(32) },
    initiator: {
      id: user.id,
      host: { address, agent },
      request_id: request.id,
      user_id: user.id,
      username: user.name,
    },
    target: { id: random.uuid() },
  })
}
