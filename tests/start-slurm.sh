#!/usr/bin/env bash
# Makes this machine a Slurm cluster of one node, as root, for SlurmTests: a throw-away machine's work, since it replaces
# /etc/slurm/slurm.conf. On Debian: apt-get install slurmctld slurmd munge openmpi-bin libpmix-dev
set -euo pipefail
host=$(hostname -s)
state=$(mktemp -d)
cat >/etc/slurm/slurm.conf <<CONF
ClusterName=one
SlurmctldHost=$host
AuthType=auth/munge
SlurmUser=root
StateSaveLocation=$state
SlurmdSpoolDir=$state
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
ReturnToService=2
NodeName=$host CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
CONF
if ! pgrep munged >/dev/null; then
    install -d -o munge /run/munge
    runuser -u munge -- munged
fi
slurmctld
slurmd
for _ in $(seq 30); do
    sleep 1
    sinfo -h | grep -q idle && exit 0
done
echo "the node does not become idle; see $state" >&2
exit 1
