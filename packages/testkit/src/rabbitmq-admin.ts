import type { AlarmKind, BindingFacts, ConnectionFacts, ExchangeFacts, QueueFacts } from './broker-fixture.ts'
import { erlangBinary, type ErlangControl } from './erlang-control.ts'

/** Named in the broker's log as the one who did it. */
const ACTING_USER = erlangBinary('testkit')

const MEMBERS_TIMEOUT_MS = 2_000

/** Where a queue is, as names of nodes. */
export interface QueuePlace {
  readonly leader: string
  /** The leader among them, and also those that are down. */
  readonly members: readonly string[]
}

/** The expression that reads one item of a property list as a plain JSON value. */
const item = (name: string): string => `proplists:get_value(${name}, Info)`
const table = (name: string): string => `rabbit_misc:amqp_table(proplists:get_value(${name}, Info, []))`
const resourceName = (name: string): string => `element(4, ${item(name)})`

/** What a test does to a RabbitMQ node and asks it, in the words of RabbitMQ's own modules. */
export class RabbitMqAdmin {
  readonly #control: ErlangControl

  constructor(control: ErlangControl) {
    this.#control = control
  }

  /** Whether every boot step is done. */
  async isRunning(): Promise<boolean> {
    return (await this.#control.evaluate('rabbit:is_running()')) === true
  }

  async createVhost(name: string, owner: string): Promise<void> {
    await this.#control.evaluate(`ok = rabbit_vhost:add(${erlangBinary(name)}, ${ACTING_USER})`)
    await this.#grantAll(owner, name)
  }

  async addUser(name: string, password: string, vhosts: readonly string[]): Promise<void> {
    await this.#control.evaluate(
      `ok = rabbit_auth_backend_internal:add_user(${erlangBinary(name)}, ${erlangBinary(password)}, ${ACTING_USER})`,
    )
    for (const vhost of vhosts) await this.#grantAll(name, vhost)
  }

  async changePassword(name: string, password: string): Promise<void> {
    await this.#control.evaluate(
      `ok = rabbit_auth_backend_internal:change_password(${erlangBinary(name)}, ${erlangBinary(password)}, ${ACTING_USER})`,
    )
  }

  async deleteUser(name: string): Promise<void> {
    await this.#control.evaluate(
      `ok = rabbit_auth_backend_internal:delete_user(${erlangBinary(name)}, ${ACTING_USER})`,
    )
  }

  async setAlarm(kind: AlarmKind, on: boolean): Promise<void> {
    const change = on
      ? `rabbit_alarm:set_alarm({{resource_limit, ${kind}, node()}, []})`
      : `rabbit_alarm:clear_alarm({resource_limit, ${kind}, node()})`
    // The alarm handler works through a mailbox: asking it afterwards waits for it.
    await this.#control.evaluate(
      `${change}, ${on} = lists:keymember({resource_limit, ${kind}, node()}, 1, rabbit_alarm:get_alarms())`,
    )
  }

  async joinCluster(nodeName: string): Promise<void> {
    // One call each: on a busy machine they may take half a minute together.
    await this.#control.evaluate('ok = rabbit:stop()')
    await this.#control.evaluate(
      `ok = rabbit_mnesia:join_cluster(binary_to_atom(${erlangBinary(nodeName)}), disc)`,
    )
    await this.#control.evaluate('ok = rabbit:start()')
  }

  async clusterSize(): Promise<number> {
    return (await this.#control.evaluate('length(rabbit_mnesia:cluster_nodes(running))')) as number
  }

  async placeOf(name: string, vhost: string): Promise<QueuePlace> {
    // The record of a quorum queue may name a leader that is gone: its members know better.
    const place = await this.#control.evaluate(
      `{ok, Queue} = rabbit_amqqueue:lookup(rabbit_misc:r(${erlangBinary(vhost)}, queue, ${erlangBinary(name)})),
       case amqqueue:get_pid(Queue) of
         {Group, _} ->
           #{nodes := Nodes} = amqqueue:get_type_state(Queue),
           {ok, Members, {_, Leader}} = ra:members([{Group, Node} || Node <- Nodes], ${MEMBERS_TIMEOUT_MS}),
           #{leader => Leader, members => [Node || {_, Node} <- Members]};
         Pid -> #{leader => node(Pid), members => [node(Pid)]}
       end`,
    )
    return place as QueuePlace
  }

  async deleteQueue(name: string, vhost: string): Promise<void> {
    await this.#control.evaluate(
      `{ok, Queue} = rabbit_amqqueue:lookup(rabbit_misc:r(${erlangBinary(vhost)}, queue, ${erlangBinary(name)})),
       {ok, _} = rabbit_amqqueue:delete(Queue, false, false, ${ACTING_USER}), true`,
    )
  }

  async closeConnections(reason: string): Promise<number> {
    // Of those that are listed some may be ending by themselves.
    const closed = await this.#control.evaluate(
      `length([Pid || Pid <- rabbit_networking:connections(),
               try rabbit_networking:close_connection(Pid, binary_to_list(${erlangBinary(reason)})) of
                 ok -> true
               catch exit:_ -> false
               end])`,
    )
    return closed as number
  }

  async queues(vhost: string): Promise<QueueFacts[]> {
    const facts = await this.#control.evaluate(
      `[#{name => ${resourceName('name')}, messages => ${item('messages')},
          messagesReady => ${item('messages_ready')}, messagesUnacknowledged => ${item('messages_unacknowledged')},
          consumers => ${item('consumers')}, arguments => ${table('arguments')}, durable => ${item('durable')},
          exclusive => ${item('exclusive')}, autoDelete => ${item('auto_delete')}}
        || Info <- rabbit_amqqueue:info_all(${erlangBinary(vhost)},
             [name, messages, messages_ready, messages_unacknowledged, consumers, arguments, durable, exclusive,
              auto_delete])]`,
    )
    // Of quorum queues and streams, which never are, RabbitMQ says nothing here.
    return (facts as QueueFacts[]).map((queue) => ({ ...queue, exclusive: queue.exclusive || false }))
  }

  async exchanges(vhost: string): Promise<ExchangeFacts[]> {
    const facts = await this.#control.evaluate(
      `[#{name => ${resourceName('name')}, type => ${item('type')}, durable => ${item('durable')},
          autoDelete => ${item('auto_delete')}, internal => ${item('internal')}, arguments => ${table('arguments')}}
        || Info <- rabbit_exchange:info_all(${erlangBinary(vhost)})]`,
    )
    return facts as ExchangeFacts[]
  }

  async bindings(vhost: string): Promise<BindingFacts[]> {
    const facts = await this.#control.evaluate(
      `[#{source => ${item('source_name')}, destination => ${item('destination_name')},
          destinationKind => ${item('destination_kind')}, routingKey => ${item('routing_key')},
          arguments => ${table('arguments')}}
        || Info <- rabbit_binding:info_all(${erlangBinary(vhost)}), ${item('source_name')} =/= <<>>]`,
    )
    return facts as BindingFacts[]
  }

  async connections(): Promise<ConnectionFacts[]> {
    const facts = await this.#control.evaluate(
      `[#{name => ${item('name')}, user => ${item('user')}, vhost => ${item('vhost')}, state => ${item('state')},
          channels => ${item('channels')}, clientProperties => ${table('client_properties')}}
        || Info <- rabbit_networking:connection_info_all([name, user, vhost, state, channels, client_properties])]`,
    )
    return facts as ConnectionFacts[]
  }

  async #grantAll(user: string, vhost: string): Promise<void> {
    const everything = '<<".*">>'
    await this.#control.evaluate(
      `ok = rabbit_auth_backend_internal:set_permissions(${erlangBinary(user)}, ${erlangBinary(vhost)},
         ${everything}, ${everything}, ${everything}, ${ACTING_USER})`,
    )
  }
}
