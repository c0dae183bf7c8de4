/** @jest-environment ./broker-environment.cjs */
// CommonJS, as most projects with Jest are: npx jest commonjs
const { connect } = require('amqplib')
const { startWorker } = require('./worker.cjs')

test('a parcel that is too heavy is tried twice', async () => {
  const connection = await connect(server.url)
  const tried = []
  const twice = new Promise((resolve) => {
    void startWorker(connection, (parcel) => {
      if (tried.push(parcel) === 3) resolve()
      if (parcel === 'anvil') throw new Error('too heavy')
    })
  })
  const channel = await connection.createConfirmChannel()
  await channel.assertQueue('parcels')
  for (const parcel of ['anvil', 'book']) channel.sendToQueue('parcels', Buffer.from(parcel))
  await twice
  expect(tried.filter((parcel) => parcel === 'anvil')).toHaveLength(2)
  // Nothing is left, and the broker is at hand to say so.
  await channel.checkQueue('parcels')
  expect(server.broker.queues()).toMatchObject([{ name: 'parcels', ready: 0, consumers: 1 }])
  await connection.close()
})
