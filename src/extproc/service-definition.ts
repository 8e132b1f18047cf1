import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type MethodDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ProcessingResponse } from './messages.js';
import { decodeRequest, type ProcessingRequest } from './wire/decode-request.js';
import { encodeResponse, framedResponse } from './wire/encode-response.js';

const OPTIONS = { keepCase: true, longs: Number, enums: Number, defaults: false, oneofs: false } as const;

/** The folder `proto/` lies beside `dist/`; private builds keep the same shape. */
function protoFile(name: string): string {
  const path = fileURLToPath(new URL(`../../../proto/${name}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`missing ${path}: the proto folder must lie beside the build folder`);
  return path;
}

function serviceOf(file: string, path: readonly string[]): ServiceDefinition {
  let node: unknown = loadPackageDefinition(loadSync(protoFile(file), OPTIONS));
  for (const name of path) node = (node as Record<string, unknown>)[name];
  return (node as { service: ServiceDefinition }).service;
}

/** The service as proto-loader reads it, with messages by reflection: the reference that our codec is held against. */
export function referenceService(): ServiceDefinition {
  return serviceOf('external_processor.proto', ['envoy', 'service', 'ext_proc', 'v3', 'ExternalProcessor']);
}

/** The service as Envoy's filters ask it, with our own codec; read once, because loading the proto takes a while. */
export function externalProcessorService(): ServiceDefinition {
  serving ??= withCodec({ requestDeserialize: decodeRequest, responseSerialize: encodeResponse });
  return serving;
}

/** The service as one generation asks another: messages go on as they are. */
export function forwardingService(): ServiceDefinition {
  forwarding ??= withCodec({
    requestSerialize: (request: ProcessingRequest) => request.bytes,
    responseDeserialize: framedResponse,
  });
  return forwarding;
}

let serving: ServiceDefinition | null = null;
let forwarding: ServiceDefinition | null = null;

function withCodec(codec: Partial<MethodDefinition<ProcessingRequest, ProcessingResponse>>): ServiceDefinition {
  const { Process, ...rest } = referenceService();
  if (!Process) throw new Error('the proto has no Process');
  return { ...rest, Process: { ...Process, ...codec } };
}

export function healthService(): ServiceDefinition {
  return serviceOf('health.proto', ['grpc', 'health', 'v1', 'Health']);
}
