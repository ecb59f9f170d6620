// Package pair decides what the members of a MySQL pair do, so that at most one of them takes writes and no write that a
// client was told of is lost. It is pure: it is given what a member sees and returns the member's next step.
//
// # The rules
//
// The members agree through a lock and a record in Consul. Only the holder of the lock changes the record, in one
// transaction with the check that it still holds the lock and that the record is the one that it read.
//
// A write is acknowledged to a client once every member of the record's InSync has it: as long as the other member is in
// the record, the primary's commits wait for it without limit (MariaDB's semi-synchronous replication, AFTER_SYNC). The
// order of two steps keeps this true. Commits wait before the other member enters the record, and the record is without the
// other member before commits stop waiting.
//
// Only a member of InSync whose data is still that of the record may take the lock: see Keeps.
//
// Safety does not depend on any clock: a primary that is cut off and still believes itself to be one waits in its first
// commit for a member that follows another. Time only decides how soon it stops to answer reads.
package pair

// Record is what the members agree on.
type Record struct {
	Primary string            `json:"primary"` // the member that may write
	InSync  map[string]string `json:"in_sync"` // members that have every acknowledged write, and the lineage that it holds for
	Epoch   int               `json:"epoch"`   // counts the changes
	Wish    string            `json:"wish"`    // the member that an operator wants as primary, empty if none
}

// Server is a member's own database server.
type Server struct {
	Up        bool
	Lineage   string // of its data: another one after each start that may have lost something that was received
	Writable  bool
	Waits     bool   // commits wait for a replica
	Replica   bool   // a replica is connected that acknowledges what it receives
	Following string // the member that it replicates from, empty if none
	Diverged  bool   // it has writes that the followed member has not, and must be made anew
}

// View is all that a member knows when it decides.
type View struct {
	Me     string
	First  bool // whether this member begins as primary when there is no record
	Manual bool // whether another primary than the record's takes an operator's wish

	Other        string // the other member
	OtherLineage string // of its data, empty if it has not told of itself lately

	Known  bool   // whether Consul answered, for a majority of its servers
	Blind  bool   // whether it has not for longer than a primary may go on without
	Holder string // of the lock, empty if nobody
	Record Record
	Unsure bool // whether the outcome of this member's last change of the record is unknown

	Server   Server
	CaughtUp bool // whether the other member, in this lineage, has received all that was written before commits waited for it, or before writes ended
	Lost     bool // whether the replica has been away for longer than commits may wait
}

// Kind is what a step does.
type Kind string

// The steps.
const (
	Wait    Kind = "wait"    // nothing is to be done
	Fence   Kind = "fence"   // refuse writes and end the clients' connections
	Acquire Kind = "acquire" // try to take the lock
	Release Kind = "release" // give the lock up
	Write   Kind = "write"   // write Step.Record, if the lock is still held and the record is the one that was seen
	WaitOn  Kind = "wait-on" // let commits wait for the replica
	WaitOff Kind = "wait-off"
	Detach  Kind = "detach"  // end replication, with all that was received applied
	Promote Kind = "promote" // take writes
	Follow  Kind = "follow"  // replicate from Step.Member
	Copy    Kind = "copy"    // become a copy of Step.Member: all that this server has is thrown away
)

// Step is what a member does next. It sees anew before it decides again.
type Step struct {
	Kind   Kind
	Member string // of Follow and Copy
	Record Record // of Write
}

// Keeps says whether a member's data keeps its lineage when its server starts, and its log must be recovered whole. The start
// of a replica throws away what it received and had not applied. That of a primary which was replaced has to throw away the
// end of its log, which nobody acknowledged and the new primary does not have.
func Keeps(me, lineage, following string, record Record) bool {
	if record.Epoch == 0 {
		return following == ""
	}

	return record.InSync[me] == lineage && (record.Primary == me || following == "")
}

// Next decides.
func Next(v View) Step {
	switch {
	case !v.Known:
		return fenceIf(v.Blind && v.Server.Writable)
	case v.Holder == v.Me:
		return lead(v)
	case v.Server.Writable:
		return Step{Kind: Fence}
	case v.Holder == "":
		return stand(v)
	default:
		return follow(v)
	}
}

func fenceIf(condition bool) Step {
	if condition {
		return Step{Kind: Fence}
	}

	return Step{Kind: Wait}
}

// stand decides whether this member runs for the lock, which nobody holds.
func stand(v View) Step {
	if !v.Server.Up || !v.mayLead() || v.leaving() || v.unasked() {
		return Step{Kind: Wait}
	}

	return Step{Kind: Acquire}
}

// mayLead says whether this member has every acknowledged write.
func (v View) mayLead() bool {
	if v.Record.Epoch == 0 {
		return v.First
	}

	return v.inSync()
}

// unasked says whether this member would replace a lost primary, which only an operator may decide.
func (v View) unasked() bool {
	return v.Manual && v.Record.Epoch > 0 && v.Record.Primary != v.Me && v.Record.Wish != v.Me
}

// inSync says whether the record holds for this member's data.
func (v View) inSync() bool {
	lineage, listed := v.Record.InSync[v.Me]

	return listed && lineage == v.Server.Lineage
}

func (v View) otherInSync() bool {
	_, listed := v.Record.InSync[v.Other]

	return listed
}

// otherIsNew says whether the other member's data is no longer that of the record.
func (v View) otherIsNew() bool {
	return v.OtherLineage != "" && v.OtherLineage != v.Record.InSync[v.Other]
}

// leaving says whether an operator wants the other member as primary, and it can be.
func (v View) leaving() bool {
	lineage, listed := v.Record.InSync[v.Other]

	return v.Record.Wish == v.Other && listed && lineage == v.OtherLineage
}

// follow is the life of a replica.
func follow(v View) Step {
	switch {
	case !v.Server.Up || v.Record.Primary != v.Holder: // the holder has not taken over yet
		return Step{Kind: Wait}
	case v.Server.Diverged:
		return Step{Kind: Copy, Member: v.Holder}
	case v.Server.Following != v.Holder:
		return Step{Kind: Follow, Member: v.Holder}
	default:
		return Step{Kind: Wait}
	}
}

// lead is the life of the holder of the lock.
func lead(v View) Step {
	switch {
	case !v.Server.Up && v.otherInSync(): // it can take over now, rather than wait for this server
		return Step{Kind: Release}
	case !v.Server.Up:
		return Step{Kind: Wait}
	case v.Record.Primary != v.Me || !v.inSync():
		return takeOver(v)
	case v.Unsure: // a change that is still under way must not come after what is decided from here
		return v.write(v.otherInSync())
	case v.leaving():
		return leave(v)
	case !v.Server.Writable:
		return rise(v)
	default:
		return serve(v)
	}
}

// takeOver makes this member the record's primary, once what it received is in its own log: as primary it may be restarted
// and come back. The other one has to follow it before it is in sync again.
func takeOver(v View) Step {
	switch {
	case !v.mayLead(): // the server was restarted after the lock was taken
		return Step{Kind: Release}
	case v.Server.Following != "":
		return Step{Kind: Detach}
	default:
		return v.write(false)
	}
}

// write is a record with this member as primary, and with the other as in sync or not.
func (v View) write(both bool) Step {
	record := Record{Primary: v.Me, InSync: map[string]string{v.Me: v.Server.Lineage}, Epoch: v.Record.Epoch + 1, Wish: v.Record.Wish}

	if lineage, listed := v.Record.InSync[v.Other]; both && listed {
		record.InSync[v.Other] = lineage
	}

	if record.Wish == v.Me {
		record.Wish = ""
	}

	return Step{Kind: Write, Record: record}
}

// leave hands over: the other member may take the lock once it has received everything.
func leave(v View) Step {
	switch {
	case v.Server.Writable:
		return Step{Kind: Fence}
	case v.CaughtUp:
		return Step{Kind: Release}
	default:
		return Step{Kind: Wait}
	}
}

// rise makes the server writable, with commits that wait if the record says so.
func rise(v View) Step {
	switch {
	case v.otherInSync() && !v.Server.Waits:
		return Step{Kind: WaitOn}
	case !v.otherInSync() && v.Server.Waits:
		return Step{Kind: WaitOff}
	default:
		return Step{Kind: Promote}
	}
}

// serve is the life of the primary: it takes the replica into the record, and drops it from there when it is lost.
func serve(v View) Step {
	candidate := v.Server.Replica && v.OtherLineage != ""

	switch {
	case v.otherInSync() && (v.Lost || v.otherIsNew() || !v.Server.Waits): // commits that did not wait may be missing there
		return v.write(false)
	case v.otherInSync():
		return Step{Kind: Wait}
	case candidate && !v.Server.Waits:
		return Step{Kind: WaitOn}
	case candidate && v.CaughtUp:
		step := v.write(false)
		step.Record.InSync[v.Other] = v.OtherLineage

		return step
	case v.Server.Waits && v.Lost:
		return Step{Kind: WaitOff}
	default:
		return Step{Kind: Wait}
	}
}
