// An ES module: node --experimental-vm-modules node_modules/jest/bin/jest.js es-module
import { useTestBroker } from '@hermod/testkit/test-broker'
import { connect } from 'amqplib'
import { startWorker } from './worker.cjs'

const server = useTestBroker({ before: beforeAll, after: afterAll })

test('a worker takes parcels again after the broker has closed its connection', async () => {
  const closed = await connect(server.url)
  await startWorker(closed, () => {})
  closed.on('error', () => {})
  const gone = new Promise((resolve) => closed.once('close', resolve))
  for (const { id } of server.broker.connections())
    server.broker.closeConnection(id, { reason: 'maintenance' })
  await expect(gone).resolves.toMatchObject({ message: expect.stringContaining('maintenance') })

  const connection = await connect(server.url)
  const channel = await connection.createChannel()
  channel.sendToQueue('parcels', Buffer.from('book'))
  await expect(new Promise((resolve) => void startWorker(connection, resolve))).resolves.toBe('book')
  await connection.close()
})
