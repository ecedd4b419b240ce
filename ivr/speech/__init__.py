"""Speech: every sentence a person can hear, made into sound for the telephone before a call is placed.

The only room with speech engines and sound files. It keeps nothing: what is rendered is stored by
`store/prompts.py`, in the order that `fieldwork/voicing.py` decides.
"""
