import type { StoreSettings } from '../config/config';
import { FileStore } from './file/file-store';
import type { Store } from './store';

/** Opens the store of the settings. */
export function openStore(settings: StoreSettings, wallMs: () => number): Promise<Store> {
  switch (settings.kind) {
    case 'file':
      return FileStore.open(settings.folder, wallMs);
    case 'etcd':
      throw new Error('not yet');
  }
}
