// Acquires a lease and asks for a turn, with clients that oapi-codegen has made.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"update-lock/openapi/coordinator"
	"update-lock/openapi/sidecar"
)

func authorize(_ context.Context, request *http.Request) error {
	request.Header.Set("Authorization", "Bearer the-token")
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	ctx := context.Background()
	ttl, reason := "1m30s", "by a generated client"
	ours := must(sidecar.NewClientWithResponses(os.Args[1], sidecar.WithRequestEditorFn(authorize)))
	acquired := must(ours.AcquireLeaseWithResponse(ctx, "go", &sidecar.AcquireLeaseParams{Ttl: &ttl}, sidecar.AcquireLeaseJSONRequestBody{Reason: &reason}))
	if acquired.JSON201 == nil {
		must(0, fmt.Errorf("%s", acquired.Body))
	}

	fleet := must(coordinator.NewClientWithResponses(os.Args[2], coordinator.WithRequestEditorFn(authorize)))
	var device coordinator.AskForTurnJSONRequestBody
	device.ClientParams.Id = "go"
	device.ClientParams.Group = "default"
	asked := must(fleet.AskForTurnWithResponse(ctx, &coordinator.AskForTurnParams{FleetLockProtocol: "true"}, device))
	fmt.Println(*acquired.JSON201.TtlSeconds, asked.StatusCode())
}
