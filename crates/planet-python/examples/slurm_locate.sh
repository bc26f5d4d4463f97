#!/usr/bin/env bash
#SBATCH --array=1-100
#SBATCH --cpus-per-task=8
#SBATCH --requeue
# Locates the photos of a manifest with a Slurm array: each task is one shard.
# sbatch slurm_locate.sh photos.parquet MODEL found
# A shard whose file is there is not located again, so that the same command repeats what failed.
set -euo pipefail
photos=$1 model=$2 found=$3
shard=$SLURM_ARRAY_TASK_ID of=$SLURM_ARRAY_TASK_COUNT
output=$found/$shard-of-$of.parquet
mkdir -p "$found"
[ -e "$output" ] ||
    planet locate "$photos" --model "$model" --shard "$shard/$of" \
        --threads "${SLURM_CPUS_PER_TASK:-1}" -o "$output"
