"""Everything that ``scripts/bench`` measures on one machine: peers, cameras by RTSP, soak."""
