/** No connection to the broker, which another try may give. */
export class BrokerConnectionError extends Error {
  override readonly name = 'BrokerConnectionError';
}

/** The broker, or its certificate, was refused or refuses; trying the same again is no use. */
export class BrokerRefusedError extends Error {
  override readonly name = 'BrokerRefusedError';
}

/** A publication was not finished when its connection ended: it may have arrived, and may be published again. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/** A publication will not arrive, however often it is tried. */
export class PublicationRefusedError extends Error {
  override readonly name = 'PublicationRefusedError';
}
