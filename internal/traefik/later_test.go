package traefik_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
)

func (s stack) laterTraefikHasTheSameRoutes(t *testing.T) {
	s.route(t, backend(t, "same"), gateway.Route{Record: gateway.Record{Name: "same"}, Hosts: []string{"same.test"}})
	s.answers(t, "same.test", "/", http.StatusOK, "same")

	later, err := s.bed.StartTraefik(t.Context(), s.consul)
	must(t, err)
	t.Cleanup(func() { later.Stop(context.Background()) })

	second := s
	second.gate = later
	second.answers(t, "same.test", "/", http.StatusOK, "same")
}
