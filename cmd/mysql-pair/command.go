package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair/agent"
	"github.com/hashicorp/consul/api"
	"github.com/spf13/cobra"
)

// options are the flags.
type options struct {
	agent.Config

	serverID           uint32
	file, passwordFile string
	consul             *api.Client
}

// command is the program's command line. Consul's address, token and certificates come from its usual variables, such as
// CONSUL_HTTP_ADDR and CONSUL_HTTP_TOKEN_FILE.
func command() *cobra.Command {
	var o options

	root := &cobra.Command{
		Use: "mysql-pair", Short: "Keep two MariaDB servers a pair, of which one takes writes",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) (err error) {
			if o.consul, err = api.NewClient(api.DefaultConfig()); err != nil {
				return fmt.Errorf("read Consul's settings: %w", err)
			}

			return nil
		},
	}
	root.PersistentFlags().StringVar(&o.Pair, "pair", "", "name of the pair")
	_ = root.MarkPersistentFlagRequired("pair") // it is there

	root.AddCommand(prepareCommand(&o), runCommand(&o), statusCommand(&o), switchCommand(&o), leaveCommand(&o), returnCommand(&o))

	return root
}

// memberFlags say which member this is.
func (o *options) memberFlags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&o.Member, "member", "", "name of this member")
	flags.StringVar(&o.Folder, "folder", "/var/lib/mysql-pair", "where this member keeps its state")

	_ = command.MarkFlagRequired("member")
}

func prepareCommand(o *options) *cobra.Command {
	command := &cobra.Command{
		Use: "prepare", Short: "Write the server's configuration, before each start of the server", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := os.MkdirAll(o.Folder, 0o700); err != nil {
				return fmt.Errorf("prepare the server: %w", err)
			}

			if err := agent.Prepare(command.Context(), o.Config, o.consul, o.serverID, o.file); err != nil {
				return fmt.Errorf("prepare the server: %w", err)
			}

			return nil
		},
	}
	o.memberFlags(command)
	command.Flags().Uint32Var(&o.serverID, "server-id", 0, "number that no other server of the pair has")
	command.Flags().StringVar(&o.file, "config", "/etc/mysql/mariadb.conf.d/99-pair.cnf", "file to write")

	_ = command.MarkFlagRequired("server-id")

	return command
}

func runCommand(o *options) *cobra.Command {
	command := &cobra.Command{
		Use: "run", Short: "Look after this member's server until told to end", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			password, err := os.ReadFile(o.passwordFile)
			if err != nil {
				return fmt.Errorf("read the replication's password: %w", err)
			}

			o.Source.Password = strings.TrimRight(string(password), "\n")

			return agent.New(o.Config, o.consul, slog.New(slog.NewTextHandler(os.Stderr, nil))).Run(command.Context())
		},
	}
	o.memberFlags(command)

	flags := command.Flags()
	flags.StringVar(&o.Other, "other", "", "name of the other member")
	flags.StringVar(&o.Source.Address, "other-address", "", "address:port of the other member's server")
	flags.StringVar(&o.Source.User, "replication-user", "replication", "account on the other member's server, for replication and for copies")
	flags.StringVar(&o.passwordFile, "replication-password-file", "", "file with its password")
	flags.StringVar(&o.Source.CA, "replication-ca", "", "file with the authority of the other server's certificate; without it replication is not encrypted")
	flags.BoolVar(&o.First, "first", false, "begin as primary if the pair has no record yet; one member of the two")
	flags.BoolVar(&o.Manual, "manual", false, "replace a lost primary only when asked by mysql-pair switch")
	flags.StringVar(&o.Address, "address", "", "address:port under which clients reach this member's server")
	flags.StringVar(&o.Socket, "socket", "/run/mysqld/mysqld.sock", "local socket of the server")
	flags.StringVar(&o.User, "user", "root", "account at the socket")
	flags.StringVar(&o.Writer, "writer", "mysql-writer", "Consul service that names the server which takes writes")
	flags.StringVar(&o.Reader, "reader", "mysql-reader", "Consul service that names the servers which answer reads")
	flags.DurationVar(&o.BlindAfter, "blind-after", 10*time.Second, "how long a primary goes on without Consul")
	flags.DurationVar(&o.LostAfter, "lost-after", 3*time.Second, "how long commits wait for a replica that is away")
	flags.DurationVar(&o.SessionTTL, "session-ttl", 10*time.Second, "how long Consul waits for a member whose node seems well")
	flags.DurationVar(&o.LockDelay, "lock-delay", time.Second, "time between the loss of a primary and its successor")

	for _, name := range []string{"other", "other-address", "replication-password-file", "address"} {
		_ = command.MarkFlagRequired(name)
	}

	return command
}

func statusCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Print who is the primary and who is in sync", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			record, err := agent.Record(command.Context(), o.Pair, o.consul)
			if err != nil {
				return fmt.Errorf("print the status: %w", err)
			}

			for member := range record.InSync {
				role := "replica, in sync"
				if member == record.Primary {
					role = "primary"
				}

				fmt.Fprintf(command.OutOrStdout(), "%s\t%s\n", member, role)
			}

			return nil
		},
	}
}

func switchCommand(o *options) *cobra.Command {
	var timeout time.Duration

	command := &cobra.Command{
		Use: "switch MEMBER", Short: "Make another member the primary, before planned work on the present one", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), timeout)
			defer cancel()

			if err := agent.Switch(ctx, o.Pair, arguments[0], o.consul); err != nil {
				return fmt.Errorf("switch the primary: %w", err)
			}

			return nil
		},
	}
	command.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait for it")

	return command
}

func leaveCommand(o *options) *cobra.Command {
	var timeout, drain time.Duration

	command := &cobra.Command{
		Use: "leave", Short: "Let the other member go on alone, before this one's machine stops", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(command.Context(), timeout)
			defer cancel()

			if err := agent.Leave(ctx, o.Config, drain, o.consul); err != nil {
				return fmt.Errorf("leave the pair: %w", err)
			}

			return nil
		},
	}
	o.memberFlags(command)
	command.Flags().DurationVar(&timeout, "timeout", 20*time.Second, "how long to wait for it")
	command.Flags().DurationVar(&drain, "drain", 3*time.Second, "how long clients may still use the name of a server that left")

	return command
}

func returnCommand(o *options) *cobra.Command {
	command := &cobra.Command{
		Use: "return", Short: "End what leave began", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := agent.Return(o.Config); err != nil {
				return fmt.Errorf("return to the pair: %w", err)
			}

			return nil
		},
	}
	o.memberFlags(command)

	return command
}
