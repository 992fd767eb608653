/** Sent with every answer, as names and values in turn: no answer may be cached, framed or read by another site. */
export const SECURITY_HEADERS = securityHeaders("default-src 'none'; frame-ancestors 'none'");

export function securityHeaders(contentSecurityPolicy: string): readonly string[] {
  return [
    'Cache-Control',
    'no-store',
    'Content-Security-Policy',
    contentSecurityPolicy,
    'Cross-Origin-Resource-Policy',
    'same-origin',
    'Referrer-Policy',
    'no-referrer',
    'X-Content-Type-Options',
    'nosniff',
  ];
}
