#!/usr/bin/env bash
# A Slurm of one node on this machine, for the tests: munged, slurmctld and slurmd with everything they need in one folder.
#
#   scripts/start_slurm.sh start FOLDER    start it, as root; then SLURM_CONF=FOLDER/slurm.conf lets sbatch, squeue, ... find it
#   scripts/start_slurm.sh stop FOLDER     end it
#
# Needs Debian's or Ubuntu's slurm-wlm and munge. No systemd, no cgroups: it works in a container.
set -euo pipefail

say() { echo "start_slurm.sh: $1" >&2; }

start() {
    for program in munged slurmctld slurmd; do
        command -v "$program" > /dev/null || { say "there is no $program; type: apt-get install slurm-wlm munge"; exit 2; }
    done
    [ "$(id -u)" = 0 ] || { say "slurmd starts jobs for their users, so that it needs root"; exit 2; }
    mkdir -p "$folder"/{state,spool}
    folder=$(cd "$folder" && pwd)
    chmod 755 "$folder"
    (umask 077 && head -c 1024 /dev/urandom > "$folder/munge.key")
    munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
        --log-file="$folder/munged.log" --seed-file="$folder/munge.seed"
    local name
    name=$(hostname -s)
    cat > "$folder/slurm.conf" << CONF
ClusterName=tests
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
SlurmctldPort=$((20000 + RANDOM % 5000))
SlurmdPort=$((25000 + RANDOM % 5000))
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
MailProg=/bin/true
MpiDefault=none
ReturnToService=2
KillWait=5
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=tests Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF="$folder/slurm.conf"
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 100); do
        if [ "$(sinfo --noheader --format=%t 2> /dev/null)" = idle ]; then
            return
        fi
        sleep 0.2
    done
    say "its node does not become idle; see $folder/slurmctld.log and $folder/slurmd.log"
    exit 2
}

stop() {
    for name in slurmd slurmctld munged; do
        if [ -f "$folder/$name.pid" ]; then
            kill "$(cat "$folder/$name.pid")" 2> /dev/null || true
        fi
    done
}

[ $# = 2 ] || { say "say what to do: start_slurm.sh start FOLDER, or stop FOLDER"; exit 2; }
folder=$2
case $1 in
    start) start ;;
    stop) stop ;;
    *) say "say what to do: start_slurm.sh start FOLDER, or stop FOLDER"; exit 2 ;;
esac
