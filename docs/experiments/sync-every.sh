#!/usr/bin/env bash
# Loss against the number of steps between meetings of processes (distributed.sync_every), GPT+ and anGPT at equal tokens:
#   ANGPT="angpt" TEXT=prose.jsonl.gz docs/experiments/sync-every.sh RUNS > docs/experiments/sync-every.csv
# What has its result in RUNS is not run again. Each run trains on the same sequences in the same order, whatever the processes.
set -euo pipefail
runs=$1
mkdir -p "$runs"
echo side,processes,sync_every,outer,seed,tokens,loss
for seed in ${SEEDS:-1 2}; do
    for processes in ${PROCESSES:-2 4}; do
        for side in "gpt+ 1.2e-2" "angpt 3e-3"; do
            read -r architecture rate <<<"$side"
            for every in ${EVERY:-1 8 32 128}; do
                # Nesterov's outer step as in the paper, and the plain mean of the weights.
                for outer in $( ((every == 1)) && echo none || echo "nesterov mean"); do
                    run=$runs/$architecture-$processes-$every-$outer-$seed
                    if ! grep -qs '"val_loss"' "$run/metrics.jsonl"; then
                        options=(--distributed.outer_learning_rate 0.7 --distributed.outer_momentum 0.9)
                        if [ "$outer" = mean ]; then options=(--distributed.outer_learning_rate 1 --distributed.outer_momentum 0); fi
                        TERM=dumb mpirun --allow-run-as-root --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 -n "$processes" \
                            ${ANGPT:-angpt} train --model.architecture "$architecture" --model.hidden_size 64 --model.num_attention_heads 2 \
                            --model.num_hidden_layers 3 --model.max_position_embeddings 128 --data.text "${TEXT:-prose.jsonl.gz}" \
                            --data.path "$runs/data" --data.validation_fraction 0.03 --tokenizer.kind bpe --tokenizer.vocab_size 4096 \
                            --optimizer.learning_rate "$rate" --optimizer.beta2 0.99 --training.batch_size 16 --training.steps 512 \
                            --training.seed "$seed" --training.threads 1 --training.output "$run" --distributed.sync_every "$every" \
                            --evaluation.interval 0 --evaluation.batches 48 --evaluation.sample_prompt null --checkpoint.interval 0 \
                            --checkpoint.keep_last 1 --logging.plot false "${options[@]}" >"$run.log" 2>&1 </dev/null
                        rm -rf "$run/checkpoints"
                    fi
                    loss=$(sed -n 's/.*"val_loss":\([0-9.]*\).*/\1/p' "$run/metrics.jsonl" | tail -n 1)
                    echo "$architecture,$processes,$every,$outer,$seed,1048576,$loss"
                done
            done
        done
    done
done
