/** Tables are in a schema of their own, so that they can share a database with others. */
export const POSTGRES_SCHEMA = 'tollgate';
