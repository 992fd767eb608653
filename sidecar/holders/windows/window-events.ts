/** What the wall clock says of updates has changed, which may leave the lock as it is. */
export interface WindowEvent {
  readonly type: 'window-turned';
  /** Why updates are held back; null since they are allowed. */
  readonly reason: string | null;
}
