"""What each command draws: the question in its title, the answer in a sentence, the figures in panels."""
