package testbed

import "context"

func DomainType(ctx context.Context) (string, error) { return "qemu", nil }
