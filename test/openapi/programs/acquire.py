"""Acquires a lease and asks for a turn, with clients that openapi-python-client has made."""

import sys

import update_lock_client
import update_lock_coordinator_client
from update_lock_client.api.default import acquire_lease
from update_lock_client.models import AcquireLeaseJsonBody, Lease
from update_lock_coordinator_client.api.default import ask_for_turn
from update_lock_coordinator_client.models import AskForTurnBody, AskForTurnBodyClientParams

sidecar = update_lock_client.AuthenticatedClient(base_url=sys.argv[1], token="the-token")
lease = acquire_lease.sync("python", client=sidecar, body=AcquireLeaseJsonBody(ttl="1m30s", reason="by a generated client"))
assert isinstance(lease, Lease), lease

coordinator = update_lock_coordinator_client.AuthenticatedClient(base_url=sys.argv[2], token="the-token")
device = AskForTurnBody(client_params=AskForTurnBodyClientParams(id="python", group="default"))
asked = ask_for_turn.sync_detailed(client=coordinator, body=device, fleet_lock_protocol="true")
print(f"{lease.ttl_seconds:g}", int(asked.status_code))
