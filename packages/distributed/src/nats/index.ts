export { type NatsTransportOptions, natsTransport, natsTransportOptionTable } from './transport.js';
