-- The health of a ContributedVM or LabTeam for Argo CD; docs/states.md says what comes out for each state.
local hs = { status = "Progressing", message = "Waiting for the operator" }

if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "Being deleted"
  return hs
end
if obj.status == nil or obj.status.conditions == nil
    or obj.status.observedGeneration ~= obj.metadata.generation then
  return hs
end

local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local at_rest = { Suspended = true, Expired = true, Drained = true, OutsideWindow = true, Paused = true,
  ContributorPaused = true, Stopped = true }

if found.Stalled ~= nil and found.Stalled.status == "True" then
  hs.status = "Degraded"
  hs.message = found.Stalled.message
elseif found.Reconciling ~= nil and found.Reconciling.status == "True" then
  hs.message = found.Reconciling.message
elseif found.Ready ~= nil then
  hs.message = found.Ready.message
  if at_rest[found.Ready.reason] then
    hs.status = "Suspended"
  elseif found.Ready.status == "True" then
    hs.status = "Healthy"
  elseif found.Ready.status == "False" then
    hs.status = "Degraded"
  end
end
return hs
