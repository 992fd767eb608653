import type { Registry } from 'prom-client';
import heapSizeAndUsed from 'prom-client/lib/metrics/heapSizeAndUsed';
import osMemoryHeap from 'prom-client/lib/metrics/osMemoryHeap';
import processCpuTotal from 'prom-client/lib/metrics/processCpuTotal';
import processMaxFileDescriptors from 'prom-client/lib/metrics/processMaxFileDescriptors';
import processOpenFileDescriptors from 'prom-client/lib/metrics/processOpenFileDescriptors';
import processStartTime from 'prom-client/lib/metrics/processStartTime';
import version from 'prom-client/lib/metrics/version';

/**
 * The process's own `process_*` and `nodejs_*`, all of them read only when Prometheus asks. Left out are the lag of the
 * event loop, which wakes the process a hundred times a second to see whether it is late, and the garbage collector's,
 * which listens to every collection.
 */
export function addProcessMetrics(registry: Registry): void {
  for (const addTo of [
    processCpuTotal,
    processStartTime,
    osMemoryHeap,
    processOpenFileDescriptors,
    processMaxFileDescriptors,
    heapSizeAndUsed,
    version,
  ]) {
    addTo(registry);
  }
}
