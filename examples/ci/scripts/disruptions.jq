# What a plan (terraform show -json) disturbs, as a list of addresses with their class; $messages are those of terraform plan -json.
#
# The provider has refused already what a machine's allow_change does not cover, so an update is at most that. Of one that may be
# restarted, it says in a warning if it will be. What is destroyed is of class "replace", and so are data and networks.

[$messages[] | select(.type == "diagnostic" and .diagnostic.severity == "warning").diagnostic.address] as $warned
| [
    .resource_changes[]
    | select(.type == ("hypervisor_vm", "hypervisor_volume", "hypervisor_pool", "hypervisor_network", "hypervisor_snapshot"))
    | .address as $address
    | .change as $change
    | (
        if $change.actions | index("delete") then "replace"
        elif $change.actions != ["update"] or .type != "hypervisor_vm" then empty
        elif $change.after_unknown.allow_change == true then "replace"
        elif $change.after.allow_change == "none" then "none"
        elif $change.after.allow_change == "live" then "live"
        elif $warned | index($address) then "reboot"
        else "live"
        end
      ) as $class
    | { address: $address, class: $class }
  ]
